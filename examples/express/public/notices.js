const SHOWN_MS = 5_000;
const PROBLEM_SHOWN_MS = 12_000;
const MAX_NOTICES = 4;

/**
 * Shows a line of text for a while.
 *
 * @param {string} text
 * @param {{problem?: boolean}} [options] a problem stays longer, and screen readers say it at once
 */
export function showNotice(text, { problem = false } = {}) {
	const container = document.getElementById('notices');
	const notice = document.createElement('p');
	notice.classList.toggle('problem', problem);
	if (problem) notice.setAttribute('role', 'alert');
	notice.textContent = text;
	notice.addEventListener('click', () => notice.remove());
	for (const shown of [...container.children]) if (shown.textContent === text) shown.remove();
	container.append(notice);
	if (container.childElementCount > MAX_NOTICES) container.firstElementChild.remove();
	setTimeout(() => notice.remove(), problem ? PROBLEM_SHOWN_MS : SHOWN_MS);
}

export function clearNotices() {
	document.getElementById('notices').replaceChildren();
}
