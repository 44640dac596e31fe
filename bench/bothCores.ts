/**
 * How much one room can forward on one worker and on two: the highest rate at which no input is lost, with pullers that have
 * completed ICE, DTLS and SRTP. The target is at least 1.8 times as much on two. The baseline is bare mediasoup, whose second
 * router has the media by `pipeToRouter()`.
 *
 *     apt-get install gcc libssl-dev libsrtp2-dev
 *     node --import tsx bench/bothCores.ts [--pullers 120] [--first 500] [--seconds 3] [--rounds 1] [--json FILE]
 *
 * The pullers are spread evenly over the workers by `workers.place`. Once media has come to all, their process is stopped, so
 * that both cores are the server's: packets are still encrypted and sent to them, and the kernel drops them there. The pusher
 * then sends faster in steps, by 25 % until something is lost, and from the step before by 5 % until the next loss. It is
 * audio of 1,000 bytes a packet, so that no choice of layers takes part.
 *
 * A packet counts as lost if the first worker has not received it, or if it was not sent to each puller. Socket buffers hold
 * about a hundred packets, and so a step that is over the limit by few percent may pass.
 *
 * It needs Linux and two cores. The pusher and Node take a part of them, too. As root, the benchmark takes the highest priority.
 * A step with a loss in which other processes have taken more than a tenth of a core is repeated, up to four times.
 */
import { parseArgs } from 'node:util';
import { buildLoad } from './forwarding/Load.js';
import { takePriority } from './forwarding/priority.js';
import { isLossless, rise, type Step } from './forwarding/rise.js';
import type { System } from './forwarding/Server.js';
import { report } from './report.js';

const { values } = parseArgs({
	options: {
		pullers: { type: 'string', default: '120' },
		first: { type: 'string', default: '500' },
		seconds: { type: 'string', default: '3' },
		rounds: { type: 'string', default: '1' },
		json: { type: 'string' },
	},
});

const payload = 1000;
const pullers = Number(values.pullers);
const options = { pullers, payload, first: Number(values.first), duration: Number(values.seconds) * 1000 };

const names: Partial<Record<System, string>> = {
	'bare, no estimate': 'bare mediasoup',
	'sfu-rooms, client offers': 'sfu-rooms',
};

/** The fastest step in which nothing was lost. */
function best(steps: readonly Step[]): Step {
	const [fastest] = steps.filter(isLossless).sort((a, b) => b.forwarded - a.forwarded);
	if (!fastest) throw new Error('the first step has lost packets already: begin lower, by --first');
	return fastest;
}

const shares = (all: readonly number[]) => all.map((share) => share.toFixed(0)).join(' + ');

takePriority();
const { binary, remove } = buildLoad();
const rows = [];
const details = [];
try {
	for (let round = 1; round <= Number(values.rounds); round++) {
		for (const [system, name] of Object.entries(names) as [System, string][]) {
			let ofOne = NaN;
			for (const workers of [1, 2]) {
				const steps = await rise(binary, system, { ...options, workers });
				const { input, forwarded, workers: used, waiting, node, pusher, idle, others } = best(steps);
				if (workers === 1) ofOne = forwarded;
				details.push({ round, system: name, workers, steps });
				rows.push({
					round,
					system: name,
					workers,
					pullers,
					'packets/s in': Math.round(input),
					'packets/s out': Math.round(forwarded),
					'× one worker': +(forwarded / ofOne).toFixed(2),
					'workers, % of a core': shares(used),
					'waiting, % of a core': shares(waiting),
					'node, % of a core': +node.toFixed(1),
					'pusher, % of a core': +pusher.toFixed(1),
					'idle, % of a core': +idle.toFixed(0),
					'others, % of a core': +others.toFixed(0),
				});
			}
		}
	}
} finally {
	remove();
}
report({ name: 'both-cores', rows, details }, values.json);
