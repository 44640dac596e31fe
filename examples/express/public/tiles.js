import { Tile } from './tile.js';

const GAP = 12;
/** A tile may differ from 16:9 by this much. The video is cropped to it. */
const NARROWEST = 6 / 5;
const WIDEST = 16 / 9;

/** The tiles: a grid of people, beside a screen when somebody shares one. */
export class Tiles {
	#stage;
	#grid;
	#featured;
	/** @type {Map<string, Tile>} */
	#tiles = new Map();

	/** @param {HTMLElement} stage */
	constructor(stage) {
		this.#stage = stage;
		this.#grid = /** @type {HTMLElement} */ (stage.querySelector('.grid'));
		this.#featured = stage.querySelector('.featured');
		new ResizeObserver(() => this.#arrange()).observe(this.#grid);
	}

	/** @param {import('./view.js').TileView[]} views */
	show(views) {
		for (const [key, tile] of this.#tiles) {
			if (views.some((view) => view.key === key)) continue;
			tile.remove();
			this.#tiles.delete(key);
		}
		for (const view of views) {
			const tile = this.#tiles.get(view.key) ?? new Tile(view);
			this.#tiles.set(view.key, tile);
			tile.update(view);
			const parent = view.featured ? this.#featured : this.#grid;
			// Moving an element would interrupt its video.
			if (tile.element.parentElement !== parent) parent.append(tile.element);
		}
		this.#stage.classList.toggle(
			'featuring',
			views.some(({ featured }) => featured),
		);
		this.#arrange();
	}

	/** @param {(view: import('./view.js').TileView) => number} levelOf from 0 to 1 */
	showLevels(levelOf) {
		for (const tile of this.#tiles.values()) tile.showLevel(levelOf(tile.view));
	}

	clear() {
		this.show([]);
	}

	/** Takes the number of columns that makes the tiles largest. */
	#arrange() {
		const { clientWidth, clientHeight, childElementCount: count } = this.#grid;
		let best = { width: 0, height: 0 };
		for (let columns = 1; columns <= count; columns++) {
			const rows = Math.ceil(count / columns);
			let width = (clientWidth - GAP * (columns - 1)) / columns;
			let height = (clientHeight - GAP * (rows - 1)) / rows;
			if (width / height > WIDEST) width = height * WIDEST;
			if (width / height < NARROWEST) height = width / NARROWEST;
			if (width * height > best.width * best.height) best = { width, height };
		}
		this.#grid.style.setProperty('--tile-width', `${Math.floor(best.width)}px`);
		this.#grid.style.setProperty('--tile-height', `${Math.floor(best.height)}px`);
	}
}
