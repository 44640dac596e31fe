import { getSupportedRtpCapabilities } from 'mediasoup';
import type { RtpCapabilities, RtpHeaderExtensionParameters, RtpParameters } from 'mediasoup/types';
import { headerExtensionUris } from '../sdp/rtpParameters.js';

const { headerExtensions: supported = [] } = getSupportedRtpCapabilities();

/**
 * The header extension that tells the layers of an AV1 packet. mediasoup's worker sends it to consumers under its own id,
 * without declaring it. Chromium 156 decodes more than the lowest spatial layer only if its SDP has it.
 *
 * @returns the extension to declare to a client with these capabilities; `undefined` if the client has it under another id
 */
export function toldDescriptor({ headerExtensions = [] }: RtpCapabilities): RtpHeaderExtensionParameters | undefined {
	const uri = headerExtensionUris.dependencyDescriptor;
	const id = supported.find((extension) => extension.uri === uri)?.preferredId;
	const isKnown = headerExtensions.some((extension) => extension.uri === uri && extension.preferredId === id);
	return id !== undefined && isKnown ? { uri, id } : undefined;
}

/** Whether the packets of a pusher have it. */
export const hasDescriptor = ({ headerExtensions = [] }: RtpParameters): boolean =>
	headerExtensions.some(({ uri }) => uri === headerExtensionUris.dependencyDescriptor);
