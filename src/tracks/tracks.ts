import type { DataPuller } from './DataPuller.js';
import type { DataPusher } from './DataPusher.js';
import type { Puller } from './Puller.js';
import type { Pusher } from './Pusher.js';

/** A track or a data channel that a user sends. Its `kind` tells which. */
export type AnyPusher = Pusher | DataPusher;

/** A track or a data channel that a user receives. Its `kind` tells which. */
export type AnyPuller = Puller | DataPuller;

/** The data channels among pullers. */
export const dataPullers = (pullers: readonly AnyPuller[]): DataPuller[] =>
	pullers.filter((puller) => puller.kind === 'data');
