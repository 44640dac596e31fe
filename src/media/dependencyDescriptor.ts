import { getSupportedRtpCapabilities } from 'mediasoup';
import type { RtpCapabilities, RtpHeaderExtensionParameters, RtpParameters } from 'mediasoup/types';
import { headerExtensionUris } from '../sdp/rtpParameters.js';

const { headerExtensions: supported = [] } = getSupportedRtpCapabilities();

/**
 * How the packets of AV1 tell which layers they belong to. mediasoup's worker passes it on to consumers under an id of its
 * own, but mediasoup does not tell them so. Chromium 156 decodes more than the lowest spatial layer only with it.
 *
 * @returns what to tell a client whose capabilities have it; `undefined` when it cannot be told
 */
export function toldDescriptor({ headerExtensions = [] }: RtpCapabilities): RtpHeaderExtensionParameters | undefined {
	const uri = headerExtensionUris.dependencyDescriptor;
	const id = supported.find((extension) => extension.uri === uri)?.preferredId;
	const isKnown = headerExtensions.some((extension) => extension.uri === uri && extension.preferredId === id);
	return id !== undefined && isKnown ? { uri, id } : undefined;
}

/** Whether a pusher's packets have it. */
export const hasDescriptor = ({ headerExtensions = [] }: RtpParameters): boolean =>
	headerExtensions.some(({ uri }) => uri === headerExtensionUris.dependencyDescriptor);
