import { randomBytes, randomUUID } from 'node:crypto';
import { SfuError, type JoinOptions, type Room, type Sfu, type User } from '../index.js';
import { askApp, bearerToken } from './askApp.js';
import type { HttpAction, HttpGrant, HttpPeer } from './authorize.js';
import { choosePushers } from './choosePushers.js';
import type { Client } from './Clients.js';
import type { HttpSession } from './HttpSession.js';
import type { ResolvedHttpOptions } from './options.js';
import { Problem } from './Problem.js';
import type { Route } from './route.js';
import { iceOf, mediaOf } from './sdpFragment.js';
import { WhepSession } from './WhepSession.js';
import { WhipSession } from './WhipSession.js';

/** What opening a session needs. */
export interface Opening {
	sfu: Sfu;
	options: ResolvedHttpOptions;
	/** The session of a user, if it has come by HTTP. */
	sessionOf: (user: User) => HttpSession | undefined;
}

/** A request to open one. */
export interface OpenRequest {
	route: Extract<Route, { name: 'whip' | 'whep' }>;
	request: Request;
	peer: HttpPeer;
	client: Client;
	/** The offer. */
	offer: string;
}

/**
 * Lets a client join, and answers its offer.
 *
 * @throws {@link Problem}, `SfuError` (rejects); then nobody has joined
 */
export async function openSession(opening: Opening, opened: OpenRequest): Promise<HttpSession> {
	const { sfu, options } = opening;
	const { route, request, peer, offer } = opened;
	const token = bearerToken(request);
	const { roomId } = route;
	const asked = { roomId, token, request, peer };
	const action: HttpAction =
		route.name === 'whip'
			? { action: 'whip', ...asked, userId: route.userId, sources: route.sources }
			: { action: 'whep', ...asked, target: route.target };
	const grant = await askApp(options.authorize, action, options.authorizeTimeout);
	assertThere(request);
	const mustBePushed = route.name === 'whep' && !options.waitForPusher;
	// A room that is nowhere is not opened only to find it empty.
	if (mustBePushed && !sfu.cluster && !sfu.rooms.has(roomId)) throw nobodyPushes(options);
	const room = await openRoom(sfu, roomId, grant);
	if (mustBePushed && choosePushers(room, route.target).pushers.length === 0) throw nobodyPushes(options);
	const user = await join(opening, opened, { room, grant, token });
	try {
		const start = { sessionId: newId(sfu), user, token, offer };
		const session =
			route.name === 'whip'
				? await WhipSession.open(start, route.sources)
				: await WhepSession.open({ ...start, room, target: route.target, streams: options.limits.streamsPerSession });
		assertThere(request);
		if (user.closed) throw new SfuError('closed', 'the user has left meanwhile');
		return session;
	} catch (error) {
		user.close('left');
		throw error;
	}
}

async function openRoom(sfu: Sfu, roomId: string, { permissions }: HttpGrant): Promise<Room> {
	if (permissions?.createRoom === false && !(await sfu.hasRoom(roomId))) {
		throw new SfuError('forbidden', 'the user may not open a room');
	}
	return sfu.getOrCreateRoom(roomId);
}

const nobodyPushes = ({ noPusherStatus }: ResolvedHttpOptions): Problem =>
	new Problem(noPusherStatus, 'nobody pushes what is to be watched', {
		code: 'not_found',
		headers: { 'retry-after': '5' },
	});

/** What is no offer at all replaces nobody. */
function assertOffer(offer: string): void {
	if (/^v=0\r?$/m.test(offer) && iceOf(offer) && mediaOf(offer).length > 0) return;
	throw new Problem(400, 'the body is no offer: it lacks v=0, m= or the credentials of ICE', {
		code: 'invalid_argument',
	});
}

async function join(
	{ sessionOf, options }: Opening,
	{ route, request, client, offer }: OpenRequest,
	{ room, grant, token }: { room: Room; grant: HttpGrant; token: string | undefined },
): Promise<User> {
	const { userId: granted, takeOver = granted !== undefined, ...given } = grant;
	const userId = granted ?? (route.name === 'whip' ? route.userId : undefined) ?? randomUUID();
	const before = room.users.get(userId);
	const replaces = before !== undefined && (takeOver || sessionOf(before)?.isOf(token) === true);
	// A room that is drained refuses the join, and then nobody is replaced.
	if (replaces) assertOffer(offer);
	if (replaces && !before.isRemote && !room.draining) before.close('replaced');
	const late = AbortSignal.timeout(options.lobbyTimeout);
	const joining: JoinOptions = {
		sharedQuota: client.sessions,
		...given,
		userId,
		signal: AbortSignal.any([request.signal, late]),
		// It was in the room already, so neither lock nor lobby is asked.
		...(replaces && { admitted: true, takeOver: before.isRemote }),
		// Nobody is told of those who watch, unless the app says otherwise.
		...(route.name === 'whep' && { permissions: { hidden: true, ...given.permissions } }),
	};
	try {
		return await room.join(joining);
	} catch (error) {
		if (late.aborted) {
			const headers = { 'retry-after': '5' };
			throw new Problem(503, 'the app has not admitted the user in time', { code: 'timeout', headers });
		}
		throw blameApp(error, grant, granted);
	}
}

/** What the client has given has been checked by now, or will be blamed on it: its ids. All else is what the app has returned. */
function blameApp(error: unknown, grant: HttpGrant, granted: string | undefined): unknown {
	if (!(error instanceof SfuError) || error.code !== 'invalid_argument') return error;
	const isOfClient = granted === undefined && error.message.startsWith('options.userId');
	return isOfClient ? error : new Error(`authorize returned a wrong grant: ${error.message}`, { cause: grant });
}

/** Nobody would get the answer. */
function assertThere({ signal }: Request): void {
	if (signal.aborted) throw new SfuError('closed', 'the client is gone');
}

/** 256 bits that nobody guesses, after the server that has the session. */
const newId = ({ cluster }: Sfu): string =>
	`${cluster ? `${cluster.nodeId}.` : ''}${randomBytes(32).toString('base64url')}`;

/** The server that has a session, by its id. Undefined if the id names none. */
export const nodeOf = (sessionId: string): string | undefined => /^(.+)\.[^.]+$/.exec(sessionId)?.[1];
