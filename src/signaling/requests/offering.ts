import type { PullSpec } from '../../tracks/PullOptions.js';
import { SfuError } from '../../SfuError.js';
import type { Member } from '../Member.js';
import type { AutoPullSuccess, PullOffered } from '../../protocol/messages.js';
import { offerData } from '../offerData.js';
import type { Peer, Reply } from '../../protoo/Peer.js';
import { checkData } from '../schemas.js';
import type { RequestContext, RequestHandler } from './RequestContext.js';

/** What a client asks for what the server offers it. */
export const offering: Record<string, RequestHandler> = {
	answer: async (data, { memberOf }) => {
		const answer = checkData.answer(data);
		await memberOf(answer).user.answer({ connectionId: answer.connectionId, answer: answer.sdp.sdp });
		return () => ({ code: 0, message: 'answer success' });
	},

	restartIce: (data, { memberOf }) => {
		const request = checkData.connection(data);
		const member = memberOf(request);
		member.countOffer();
		member.user.restartIce(request.connectionId);
		return () => ({ code: 0, message: 'restartIce success' });
	},
};

/** Answers a pull without an offer, as soon as no other offer waits. */
export async function pullOffered(
	member: Member,
	peer: Peer,
	options: { targetUserId: string; specs: PullSpec[] },
): Promise<Reply> {
	const offer = await member.user.pull(options);
	if (member.peer !== peer) {
		// Whoever has asked is gone, and the user speaks on another socket already, or will.
		member.bringOffer();
		throw new SfuError('closed', 'the socket has been closed');
	}
	member.knowsOffer(offer, peer);
	return (): PullOffered => {
		offer.connection.assertOpen();
		return { code: 0, message: 'pull success', ...offerData(offer) };
	};
}

/** Answers a pull of everything. */
export async function autoPull(data: unknown, { memberOf, authorize }: RequestContext): Promise<Reply> {
	const pull = checkData.autoPull(data);
	const { roomId, userId } = pull;
	const other = ['sdp', 'targetUserId', 'specs'].find((key) => key in pull);
	if (other) throw new SfuError('invalid_argument', `data.autoPull pulls everything, and needs no data.${other}`);
	const member = memberOf(pull);
	member.countOffer();
	await authorize({ action: 'autoPull', roomId, userId });
	const { connectionId } = member.user.autoPull();
	return (): AutoPullSuccess => ({ code: 0, message: 'pull success', connectionId });
}
