/** Shows what sfu.inspect() tells, every two seconds. What is unfolded stays so. */

const state = document.getElementById('state');
const picture = document.getElementById('picture');
const folded = new Map();

/** What tells an entry of a list from the others. */
const idOf = (value, key) =>
	value.pullerId ?? value.pusherId ?? value.connectionId ?? value.userId ?? value.roomId ?? value.nodeId ?? key;

/** A word for an entry of a list. */
const labelOf = (value, key) => {
	const name = value.userName ?? value.name ?? value.roomId ?? idOf(value, key);
	return [name, value.kind, value.source, value.state].filter(Boolean).join(' · ');
};

function show(key, value, path) {
	if (typeof value !== 'object' || value === null) {
		const line = document.createElement('div');
		line.className = 'value';
		const name = document.createElement('span');
		name.className = 'name';
		name.textContent = `${key}: `;
		line.append(name, String(value));
		return line;
	}
	const isList = Array.isArray(value);
	const details = document.createElement('details');
	details.open = folded.get(path) ?? !/pushers|pullers|connections|layers/.test(path.split('/').at(-1));
	details.addEventListener('toggle', () => folded.set(path, details.open));
	const summary = document.createElement('summary');
	summary.textContent = isList ? `${key} (${value.length})` : key;
	details.append(
		summary,
		...Object.entries(value).map(([name, inner]) => {
			const isEntry = isList && typeof inner === 'object' && inner !== null;
			return show(isEntry ? labelOf(inner, name) : name, inner, `${path}/${isEntry ? idOf(inner, name) : name}`);
		}),
	);
	return details;
}

async function look() {
	try {
		const response = await fetch('inspect.json');
		if (!response.ok) throw new Error('Start the server with INSPECT=1 to see this.');
		const { time, version, ...rest } = await response.json();
		state.textContent = `${new Date(time).toLocaleTimeString()}, version ${version}`;
		picture.replaceChildren(...Object.entries(rest).map(([key, value]) => show(key, value, key)));
	} catch ({ message }) {
		state.textContent = message;
	}
	setTimeout(look, 2000);
}

void look();
