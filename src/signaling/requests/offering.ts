import { SfuError, type PullSpec } from '../../index.js';
import type { AutoPullSuccess, PullOffered } from '../../protocol/index.js';
import { quoted } from '../../quoted.js';
import type { Member } from '../Member.js';
import { checkData } from '../schemas.js';
import { offerData } from '../serialize.js';
import type { MemberSession } from '../SignalingClient.js';
import { findConnection, type Reply, type RequestContext, type RequestHandler } from './RequestContext.js';

/** Handlers of the requests about connections, most of them about those for which the server offers. */
export const offering: Record<string, RequestHandler> = {
	answer: async (data, { memberOf }) => {
		const answer = checkData.answer(data);
		await memberOf(answer).user.answer({ connectionId: answer.connectionId, answer: answer.sdp.sdp });
		return () => ({ code: 0, message: 'answer success' });
	},

	restartIce: (data, { memberOf, countOffer }) => {
		const request = checkData.restartIce(data);
		const { user } = memberOf(request);
		countOffer();
		user.restartIce(request.connectionId);
		return () => ({ code: 0, message: 'restartIce success' });
	},

	pin: (data, { memberOf }) => {
		const request = checkData.pin(data);
		memberOf(request).user.pin(request.targetUserId);
		return () => ({ code: 0, message: 'pin success' });
	},

	unpin: (data, { memberOf }) => {
		const request = checkData.unpin(data);
		memberOf(request).user.unpin(request.targetUserId);
		return () => ({ code: 0, message: 'unpin success' });
	},

	closeConnection: (data, { memberOf }) => {
		const request = checkData.closeConnection(data);
		const { connectionId } = request;
		const connection = findConnection(memberOf(request).user, connectionId);
		if (!connection) throw new SfuError('not_found', `the user has no connection ${quoted(connectionId)}`);
		connection.close();
		return () => ({ code: 0, message: 'closeConnection success' });
	},
};

/** Handles a pull without an offer. Waits until no other offer is pending. */
export async function pullOffered(
	member: Member<unknown>,
	session: MemberSession<unknown>,
	options: { targetUserId: string; specs: PullSpec[] },
): Promise<Reply<PullOffered>> {
	const offer = await member.user.pull(options);
	const closed = (subject: string) => new SfuError('closed', `the ${subject} has been closed`);
	if (member.session !== session) {
		// Another session has taken the user over, or will do so.
		member.bringOffer();
		throw closed('socket');
	}
	member.knowsOffer(offer, session);
	return () => {
		if (offer.connection.closed) throw closed('connection');
		return { code: 0, message: 'pull success', ...offerData(offer) };
	};
}

/** Handles a pull of everything that the others push. */
export async function autoPull(
	data: unknown,
	{ memberOf, countOffer, authorize }: RequestContext,
): Promise<Reply<AutoPullSuccess>> {
	const pull = checkData.autoPull(data);
	const { roomId, userId } = pull;
	const other = ['sdp', 'targetUserId', 'specs'].find((key) => key in pull);
	if (other) throw new SfuError('invalid_argument', `data.autoPull pulls everything, and needs no data.${other}`);
	const member = memberOf(pull);
	countOffer();
	await authorize({ action: 'autoPull', roomId, userId }, data);
	const { connectionId } = member.user.autoPull(pull.autoPull === true ? {} : pull.autoPull);
	return () => ({ code: 0, message: 'pull success', connectionId });
}
