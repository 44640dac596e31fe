import { HoldNotice } from '../../src/layers/HoldNotice.js';
import type { StepChanges, VideoStream } from '../../src/layers/LayerPolicy.js';
import { LinkController } from '../../src/layers/LinkController.js';
import { OverloadDetector } from '../../src/layers/OverloadDetector.js';

/** The parts of time, in ms. */
const part = 25;
/** The way to the receiver and back without a queue, in ms. */
const distance = 40;
/** What flows beside the video, in bit/s. */
const audio = 150_000;
/** In bits. */
const packet = 9600;
/** What a sender without layers sends when nobody asks for less, in bit/s. */
const full = 1_500_000;
/** A layer that falls for an overload begins again after so long, and its NACKs count again, in ms. */
const restartTime = 350;
const settleTime = 1500;
/** A keyframe is as large as all that follows in this part of a second. */
const keyframe = 0.25;

interface Flow {
	readonly id: string;
	readonly isLayered: boolean;
	/** When it reports within each second, in ms. */
	readonly phase: number;
	readonly notice: HoldNotice;
	/** Of each step, in bit/s. */
	bitrates: number[];
	step: number;
	flowsFrom: number;
	/** In packets. */
	sent: number;
	lost: number;
	/** The report on its way, and what the last one was about. */
	report: { roundTripTime: number; lost: number } | undefined;
	reported: { at: number; sent: number; lost: number };
	/** Whether its next report is about what was lost before it was held. */
	isStale: boolean;
	/** From `at` on, nothing is requested again that was lost before `begun`. */
	keyframe: { begun: number; at: number };
}

/** What is lost is requested again until it has come. */
interface Request {
	flow: Flow;
	at: number;
	bits: number;
	lostAt: number;
}

/**
 * Videos and their audio on one link with a queue. Each receiver reports once a second, senders follow within about a
 * second, lost packets are requested again, and what comes back or rises begins with a keyframe.
 */
export class SimulatedLink {
	readonly control: LinkController;
	readonly flows: readonly Flow[];
	/** In bit/s. */
	capacity = Infinity;
	/** The packets that are lost in any case, 0 to 1. */
	loss = 0;
	/** Whether the senders send less when asked. */
	obeys = true;
	/** In ms. */
	now = 0;
	/** How long what is sent now waits in the queue, in ms. */
	delay = 0;
	/** The state at each second. `audioLost` is the share of the second. */
	readonly course: { at: number; delay: number; bitrate: number; steps: number[]; audioLost: number }[] = [];
	/** What the client is told, in seconds. */
	readonly told: { at: number; id: string; isHeld: boolean }[] = [];
	/** All changes, in seconds. */
	readonly changes: { at: number; id: string; step: number }[] = [];
	readonly #interval: number;
	readonly #detector = new OverloadDetector();
	#requests: Request[] = [];
	#settledAt = -Infinity;
	#queued = 0;
	#audioLost = 0;

	/**
	 * @param options - `layers`: the bitrates of the layers, in bit/s; without them, the videos have none and their senders
	 *   follow. `phases`: when each receiver reports within a second, in ms
	 */
	constructor({
		layers,
		isEstimated = false,
		phases = [0, 300, 600],
	}: {
		layers?: readonly number[] | undefined;
		isEstimated?: boolean;
		phases?: readonly number[];
	}) {
		this.control = new LinkController({ isEstimated, initialBitrate: 1_000_000 });
		this.#interval = isEstimated ? 1000 : 500;
		const bitrates = [0, ...(layers ?? [full])];
		this.flows = phases.map((phase, index) => ({
			...{ id: 'abc'[index]!, isLayered: layers !== undefined, phase, notice: new HoldNotice() },
			...{ bitrates: [...bitrates], step: bitrates.length - 1, flowsFrom: 0, sent: 0, lost: 0, isStale: false },
			...{ report: undefined, reported: { at: 0, sent: 0, lost: 0 }, keyframe: { begun: 0, at: 0 } },
		}));
	}

	/** Of all video, in bit/s. */
	get bitrate(): number {
		return this.flows.reduce((sum, flow) => sum + this.#rateOf(flow), 0);
	}

	/** The longest time without a break for which packets waited longer than `delay` in ms, from a time on, in seconds. */
	longestQueue(delay: number, from: number): number {
		let [longest, now] = [0, 0];
		for (const second of this.course) {
			if (second.at <= from) continue;
			now = second.delay > delay ? now + 1 : 0;
			longest = Math.max(longest, now);
		}
		return longest;
	}

	run(seconds: number): this {
		for (const end = this.now + seconds * 1000; this.now < end;) this.#pass();
		return this;
	}

	#pass(): void {
		this.now += part;
		const { now } = this;
		this.#audioLost += this.#send((audio * part) / 1000) * part;
		const due = this.#requests.filter(({ at }) => at <= now);
		this.#requests = this.#requests.filter(({ at }) => at > now);
		const sample = { at: now, packets: 0, bytes: 0, nacked: 0 };
		for (const flow of this.flows) {
			const bits = (this.#rateOf(flow) * part) / 1000;
			sample.packets += bits / packet;
			sample.bytes += bits / 8;
			flow.sent += bits / packet;
			const lost = bits * this.#send(bits);
			flow.lost += lost / packet;
			this.#request(flow, lost, now);
		}
		for (const { flow, bits, lostAt } of due) {
			if (flow.step === 0 || (lostAt < flow.keyframe.begun && now >= flow.keyframe.at)) continue;
			sample.nacked += bits / packet;
			this.#request(flow, bits * this.#send(bits), lostAt);
		}
		this.#queued = Math.max(this.#queued - (this.capacity * part) / 1000, 0);
		this.delay = this.capacity === Infinity ? 0 : (this.#queued / this.capacity) * 1000;
		this.#follow();
		for (const flow of this.flows) {
			// It is about what has arrived until now.
			if ((now + flow.phase) % 1000 === 0) flow.report = { roundTripTime: distance + this.delay, lost: flow.lost };
		}
		const overload = now >= this.#settledAt ? this.#detector.add(sample) : undefined;
		if (overload) this.#apply(this.control.fall(overload, this.#streams()), true);
		if (now % this.#interval === 0) this.#look();
		if (now % 1000 > 0) return;
		const { delay, bitrate, flows } = this;
		const steps = flows.map(({ step }) => step);
		this.course.push({ at: now / 1000, delay, bitrate, steps, audioLost: this.#audioLost / 1000 });
		this.#audioLost = 0;
	}

	#rateOf({ flowsFrom, bitrates, step }: Flow): number {
		return this.now < flowsFrom ? 0 : (bitrates[step] ?? 0);
	}

	/** Puts bits into the queue. @returns the share that is lost */
	#send(bits: number): number {
		if (this.capacity === Infinity) return this.loss;
		const room = Math.max(this.capacity * (1 + part / 1000) - this.#queued, 0);
		const passed = Math.min(bits, room) * (1 - this.loss);
		this.#queued += passed;
		return bits > 0 ? 1 - passed / bits : 0;
	}

	#request(flow: Flow, bits: number, lostAt: number): void {
		if (bits > 1) this.#requests.push({ flow, bits, lostAt, at: this.now + distance + this.delay });
	}

	#follow(): void {
		for (const { id, isLayered, bitrates } of this.flows) {
			if (isLayered) continue;
			const target = this.obeys ? Math.min(this.control.demandOf(id) ?? Infinity, full) : full;
			const sent = bitrates[1]!;
			bitrates[1] = sent + (target - sent) * (target < sent ? 0.05 : 0.02);
		}
	}

	#streams(): VideoStream[] {
		return this.flows.map(({ id, isLayered, step, bitrates, notice: { shownFrom } }) => ({
			...{ id, isLayered, step, limit: step, bitrates: [...bitrates], leastBitrates: [...bitrates], shownFrom },
			...{ priority: 1, rank: -1, fullFrameRateStep: 1 },
			demanded: isLayered || !this.obeys ? Infinity : (this.control.demandOf(id) ?? Infinity),
		}));
	}

	#look(): void {
		const { now: at, bitrate } = this;
		const sum = { packets: 0, lost: 0 };
		let covered: number | undefined;
		const roundTripTimes: number[] = [];
		for (const flow of this.flows) {
			const { report, reported, isStale } = flow;
			if (flow.step === 0) Object.assign(flow, { isStale: true, report: undefined });
			else if (report) {
				Object.assign(flow, {
					isStale: false,
					report: undefined,
					reported: { at, sent: flow.sent, lost: report.lost },
				});
				if (isStale) continue;
				sum.packets += Math.round(flow.sent - reported.sent);
				sum.lost += Math.round(report.lost - reported.lost);
				covered = Math.min(covered ?? Infinity, at - reported.at);
				roundTripTimes.push(report.roundTripTime);
			}
		}
		const sent = { bitrate, limit: Infinity, estimate: undefined, streams: this.#streams() };
		this.#apply(this.control.decide({ at, ...sum, covered, roundTripTimes, ...sent }));
	}

	#apply(changes: StepChanges, isOverload = false): void {
		for (const flow of this.flows) {
			const step = changes.get(flow.id);
			if (step !== undefined && step !== flow.step) this.#set(flow, step, isOverload);
			if (!flow.notice.isDue(this.now)) continue;
			flow.notice.tell(this.now);
			this.#tell(flow);
		}
	}

	#set(flow: Flow, step: number, isOverload: boolean): void {
		const { now } = this;
		const { step: before, notice } = flow;
		this.changes.push({ at: now / 1000, id: flow.id, step });
		flow.step = step;
		flow.keyframe = { begun: now, at: isOverload ? now : now + this.delay + distance };
		if (step === 0) notice.hold(now);
		if (step < before || before === 0) this.#settledAt = now + settleTime;
		if (step > before) this.#send(flow.bitrates[step]! * keyframe);
		else if (isOverload) flow.flowsFrom = now + restartTime;
		if (before > 0) return;
		const { isTold } = notice;
		notice.show(now);
		if (isTold) this.#tell(flow);
	}

	#tell({ id, step }: Flow): void {
		this.told.push({ at: this.now / 1000, id, isHeld: step === 0 });
	}
}
