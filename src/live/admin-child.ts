// Runs in a gateway's namespace, where alone its admin address can be reached: takes a path a line, answers with a line of
// JSON, `{ "status": 200, "body": … }` or `{ "error": "…" }`. The address is its argument. It ends with its input.
import { get } from "node:http";
import { createInterface } from "node:readline";

const TIMEOUT_MILLIS = 5_000;
const BODY_BYTES_MAX = 16 << 20;

const address = process.argv[2] ?? "";

function ask(path: string): Promise<object> {
	return new Promise((resolve) => {
		const fail = (error: Error) => resolve({ error: error.message });
		const request = get(`http://${address}${path}`, { timeout: TIMEOUT_MILLIS }, (response) => {
			let text = "";
			response.setEncoding("utf8");
			response.on("data", (part: string) => {
				text += part;
				if (text.length > BODY_BYTES_MAX) {
					request.destroy(new Error("the answer is too long"));
				}
			});
			response.on("end", () => resolve({ status: response.statusCode, body: text }));
			response.on("error", fail);
		});
		request.on("timeout", () => request.destroy(new Error("no answer in time")));
		request.on("error", fail);
	});
}

for await (const path of createInterface({ input: process.stdin })) {
	process.stdout.write(`${JSON.stringify(await ask(path))}\n`);
}
