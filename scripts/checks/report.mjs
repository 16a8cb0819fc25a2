/** How every check ends: what it looked at, or each problem on a line of its own and exit code 1. */
export function finish(name, { problems, checked }) {
	if (problems.length === 0) {
		process.stdout.write(`${name}: ${checked}, no problem\n`);
		return;
	}
	process.stdout.write(`${problems.join("\n")}\n${name}: ${problems.length} problems in ${checked}\n`);
	process.exitCode = 1;
}
