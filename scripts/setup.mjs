// Runs before `npm start` and `npm test`, so it may use nothing but Node's own modules.
import { main } from "./setup/main.mjs";
import { buildNative, nativeIsCurrent } from "./setup/native.mjs";
import { installPackages, packagesAreCurrent } from "./setup/packages.mjs";
import { SetupError } from "./setup/run.mjs";
import { provide, toBuild, toTest } from "./setup/system.mjs";
import { buildTypeScript, distIsCurrent } from "./setup/typescript.mjs";

const OLDEST_NODE = 20;

function setUp(forTests) {
	if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
		throw new SetupError(`Node ${OLDEST_NODE} or newer is needed; this is ${process.versions.node}`);
	}
	const staleNative = !nativeIsCurrent();
	if (forTests) {
		provide(toTest);
	} else if (staleNative) {
		provide(toBuild);
	}
	if (!packagesAreCurrent()) {
		installPackages();
	}
	if (staleNative) {
		buildNative();
	}
	if (!distIsCurrent()) {
		buildTypeScript();
	}
}

main(() => setUp(process.argv.includes("--for-tests")));
