import { connect, type Socket } from "node:net";
import { onAnswers, type WireRequest } from "./wire.js";

/** Hears whether the readings of a request are stored. */
type OnAnswer = (id: number, isStored: boolean) => void;

/** The way to a gateway. It is connected when there is something to send; what it had under way when it breaks has failed. */
export class GatewayLink {
	private socket: Socket | undefined;
	private waiting = new Set<number>();

	constructor(
		private readonly place: { readonly host: string; readonly port: number },
		private readonly connectTimeoutMillis: number,
		private readonly onAnswer: OnAnswer,
	) {}

	send(request: WireRequest): void {
		this.socket ??= this.open();
		this.waiting.add(request.id);
		this.socket.write(`${JSON.stringify(request)}\n`);
	}

	end(): void {
		this.waiting.clear();
		this.socket?.destroy();
	}

	private open(): Socket {
		const socket = connect({ ...this.place, noDelay: true });
		const impatience = setTimeout(() => socket.destroy(), this.connectTimeoutMillis);
		socket.once("connect", () => clearTimeout(impatience));
		socket.on("error", () => undefined);
		socket.once("close", () => {
			clearTimeout(impatience);
			this.socket = undefined;
			const failed = this.waiting;
			this.waiting = new Set();
			for (const id of failed) {
				this.onAnswer(id, false);
			}
		});
		onAnswers(socket, ({ id, isStored }) => {
			this.waiting.delete(id);
			this.onAnswer(id, isStored);
		});
		return socket;
	}
}
