// Runs before `npm start` and `npm test`, so it may use nothing but Node's own modules.
import { provideBroker } from "./setup/broker.mjs";
import { main } from "./setup/main.mjs";
import {
	buildNative,
	buildPrograms,
	canBuildPrograms,
	nativeIsCurrent,
	programsAreCurrent,
} from "./setup/native.mjs";
import { installPackages, packagesAreCurrent } from "./setup/packages.mjs";
import { SetupError } from "./setup/run.mjs";
import { provide, toBuild, toRunLive, toTest } from "./setup/system.mjs";
import { buildTypeScript, distIsCurrent } from "./setup/typescript.mjs";

const OLDEST_NODE = 20;

/** The live programs take minutes to build, and a simulation needs none of them. */
async function setUp({ forTests, forLive }) {
	if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
		throw new SetupError(`Node ${OLDEST_NODE} or newer is needed; this is ${process.versions.node}`);
	}
	const staleNative = !nativeIsCurrent();
	if (forTests || forLive) {
		provide(forTests ? toTest : toRunLive);
	} else if (staleNative) {
		provide(toBuild);
	}
	if (!packagesAreCurrent()) {
		installPackages();
	}
	if (staleNative) {
		buildNative();
	}
	if ((forTests || forLive) && canBuildPrograms() && !programsAreCurrent()) {
		buildPrograms();
	}
	if (!distIsCurrent()) {
		buildTypeScript();
	}
	if (forTests || forLive) {
		await provideBroker();
	}
}

await main(() =>
	setUp({ forTests: process.argv.includes("--for-tests"), forLive: process.argv.includes("--for-live") }),
);
