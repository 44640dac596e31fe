/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call,
   @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return --
   TypeScript's DOM library would hold for the whole program: `closed`, `name` and `origin` would be globals in src/. */

const { WebSocket } = /** @type {any} */ (globalThis);

/** Sends requests in the envelope of protoo 4, and takes their responses. What the server sends by itself is ignored. */
export class Socket {
	/** @type {any} */
	#webSocket;
	#lastId = 0;
	/** @type {Map<number, (response: any) => void>} */
	#open = new Map();

	/** @param {string} url */
	static async open(url) {
		const socket = new Socket();
		socket.#webSocket = new WebSocket(url);
		socket.#webSocket.onmessage = (/** @type {any} */ { data }) => {
			const response = JSON.parse(data);
			if (response.response) socket.#open.get(response.id)?.(response);
		};
		await new Promise((resolve, reject) => {
			socket.#webSocket.onopen = resolve;
			socket.#webSocket.onerror = reject;
		});
		return socket;
	}

	/**
	 * @param {string} method
	 * @param {object} [data]
	 * @returns {Promise<any>} the data of the success
	 */
	async request(method, data = {}) {
		const id = ++this.#lastId;
		const response = await new Promise((resolve) => {
			this.#open.set(id, resolve);
			this.#webSocket.send(JSON.stringify({ request: true, id, method, data }));
		});
		this.#open.delete(id);
		if (!response.ok) throw new Error(`${method}: ${response.errorReason}`);
		return response.data;
	}

	close() {
		this.#webSocket.close(1000);
	}
}
