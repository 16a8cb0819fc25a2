import { main } from "./setup/main.mjs";
import { buildNative, buildPrograms, canBuildPrograms } from "./setup/native.mjs";

main(() => {
	buildNative();
	if (canBuildPrograms()) {
		buildPrograms();
	}
});
