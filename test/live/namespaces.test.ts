// One file for all that makes namespaces: vitest runs files side by side, and every live run removes what dead ones left.
import "./broker/namespace.suite.js";
import "./kafka.suite.js";
import "./namespaces.suite.js";
import "./orchestration.suite.js";
import "./packets.suite.js";
