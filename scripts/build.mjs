import { main } from "./setup/main.mjs";
import { buildTypeScript } from "./setup/typescript.mjs";

main(buildTypeScript);
