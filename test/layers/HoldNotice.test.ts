import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HoldNotice } from '../../src/layers/HoldNotice.js';

it('A break of less than four seconds is not told, and may end at any time', () => {
	const notice = new HoldNotice();
	notice.hold(0);
	assert.deepEqual([notice.isDue(3999), notice.shownFrom, notice.isTold], [false, -Infinity, false]);
	notice.show(3999);
	assert.equal(notice.isDue(10_000), false);
});

it('A longer one is told once, and lasts for ten seconds from then on', () => {
	const notice = new HoldNotice();
	notice.hold(0);
	notice.hold(2000);
	assert.equal(notice.isDue(4000), true, 'it counts from its beginning');
	notice.tell(4000);
	assert.deepEqual([notice.isDue(20_000), notice.isTold, notice.shownFrom], [false, true, 14_000]);
	notice.show(14_000);
	assert.deepEqual([notice.isTold, notice.shownFrom], [false, -Infinity]);
});

it('The next one is told no sooner than ten seconds after the end of that', () => {
	const notice = new HoldNotice();
	notice.hold(0);
	notice.tell(4000);
	notice.show(14_000);
	notice.hold(15_000);
	assert.deepEqual([notice.isDue(23_999), notice.isDue(24_000)], [false, true]);
	notice.show(23_000);
	notice.hold(23_000);
	assert.deepEqual([notice.isDue(26_999), notice.isDue(27_000)], [false, true], 'nobody knows of a break between');
});
