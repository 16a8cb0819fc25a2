import { main } from "./setup/main.mjs";
import { buildNative } from "./setup/native.mjs";

main(buildNative);
