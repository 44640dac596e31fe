import assert from 'node:assert/strict';
import type { AnyPuller, AnyPusher, DataPuller, DataPusher, Puller, Pusher } from 'sfu-rooms';
import { LocalSource } from '../../src/media/LocalSource.js';

type Tracks<Track> = Iterable<Track> | ReadonlyMap<string, Track>;

const listed = <Track>(tracks: Tracks<Track>): Track[] =>
	tracks instanceof Map ? [...(tracks as Map<string, Track>).values()] : [...(tracks as Iterable<Track>)];

/** The pushers of audio and video among all. */
export const mediaPushers = ({ pushers }: { pushers: Tracks<AnyPusher> }): Pusher[] =>
	listed(pushers).filter((pusher) => pusher.kind !== 'data');

/** The pushers of data channels among all. */
export const dataPushers = ({ pushers }: { pushers: Tracks<AnyPusher> }): DataPusher[] =>
	listed(pushers).filter((pusher) => pusher.kind === 'data');

/** The pullers of audio and video among all. */
export const mediaPullers = ({ pullers }: { pullers: Tracks<AnyPuller> }): Puller[] =>
	listed(pullers).filter((puller) => puller.kind !== 'data');

/** The pullers of data channels among all. */
export const dataPullers = ({ pullers }: { pullers: Tracks<AnyPuller> }): DataPuller[] =>
	listed(pullers).filter((puller) => puller.kind === 'data');

/** The producer that receives a pusher. */
export function producerOf({ pullSource }: Pusher) {
	assert.ok(pullSource instanceof LocalSource);
	return pullSource.producer;
}

/** The label of a data channel, or the kind of a track. */
export const labelOf = (pusher: AnyPusher): string => (pusher.kind === 'data' ? pusher.label : pusher.kind);
