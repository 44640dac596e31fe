const MAX_MESSAGES = 500;

/** The panel with the text messages. */
export class Chat {
	#panel = document.getElementById('chat');
	#log = document.getElementById('chat-log');
	#empty = document.getElementById('chat-empty');
	#input = /** @type {HTMLInputElement} */ (document.getElementById('chat-input'));
	#toggle = document.getElementById('toggle-chat');
	#badge = document.getElementById('chat-unread');
	#unread = 0;

	/** @param {(message: string) => Promise<boolean>} send false when the message could not be sent, and comes back */
	constructor(send) {
		this.#toggle.addEventListener('click', () => (this.isOpen ? this.close() : this.open()));
		document.getElementById('chat-close').addEventListener('click', () => this.close());
		this.#panel.addEventListener('keydown', ({ key }) => {
			if (key === 'Escape') this.close();
		});
		document.getElementById('chat-form').addEventListener('submit', async (event) => {
			event.preventDefault();
			const message = this.#input.value.trim();
			this.#input.value = '';
			this.#input.focus();
			if (message !== '' && !(await send(message))) this.#input.value ||= message;
		});
	}

	get isOpen() {
		return !this.#panel.hidden;
	}

	open() {
		this.#show(true);
		this.#setUnread(0);
		this.#log.scrollTop = this.#log.scrollHeight;
		this.#input.focus();
	}

	close() {
		this.#show(false);
		this.#toggle.focus();
	}

	/** @param {{userName: string, message: string, time: number, own?: boolean}} message */
	add({ userName, message, time, own = false }) {
		// A user who has scrolled up to read stays there.
		const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
		this.#log.append(messageElement(userName, message, time, own));
		if (this.#log.childElementCount > MAX_MESSAGES) this.#log.firstElementChild.remove();
		this.#empty.hidden = true;
		if (atEnd || own) this.#log.scrollTop = this.#log.scrollHeight;
		if (!this.isOpen) this.#setUnread(this.#unread + 1);
	}

	clear() {
		this.#log.replaceChildren();
		this.#empty.hidden = false;
		this.#input.value = '';
		this.#setUnread(0);
		this.#show(false);
	}

	/** @param {boolean} open */
	#show(open) {
		this.#panel.hidden = !open;
		this.#toggle.setAttribute('aria-expanded', String(open));
	}

	/** @param {number} count */
	#setUnread(count) {
		this.#unread = count;
		this.#badge.hidden = count === 0;
		this.#badge.textContent = count > 99 ? '99+' : String(count);
		this.#badge.setAttribute('aria-label', `${count} unread`);
	}
}

/**
 * @param {string} userName
 * @param {string} message
 * @param {number} time
 * @param {boolean} own
 */
function messageElement(userName, message, time, own) {
	const item = document.createElement('li');
	item.classList.toggle('own', own);
	const name = document.createElement('b');
	name.textContent = own ? 'You' : userName;
	name.dir = 'auto';
	const clock = document.createElement('time');
	const date = new Date(time);
	clock.textContent = (Number.isNaN(date.getTime()) ? new Date() : date).toLocaleTimeString([], {
		hour: '2-digit',
		minute: '2-digit',
	});
	const text = document.createElement('p');
	text.textContent = message;
	text.dir = 'auto';
	item.append(name, clock, text);
	return item;
}
