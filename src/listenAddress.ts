import { isIP } from 'node:net';
import { quoted } from './quoted.js';
import { SfuError } from './SfuError.js';

/** An address for media. */
export interface ListenAddress {
	/** The IP address to bind to, such as `192.0.2.1`, or `0.0.0.0` for every one. */
	ip: string;
	/**
	 * The IP address or host name that clients are told, if it is another one, for example behind NAT. `0.0.0.0` and `::` need
	 * it. Default: `ip`.
	 */
	announcedAddress?: string;
	/**
	 * The port of the first worker, for both UDP and TCP. The n-th worker takes the n-th port from here. Default: any free
	 * port of mediasoup's range, 10000 to 59999.
	 */
	port?: number;
	/**
	 * The protocols that clients may connect over. Clients prefer UDP, but Firefox may come to receive over TCP all the same.
	 * Default: both.
	 */
	protocols?: ('udp' | 'tcp')[];
}

// RFC 1123, section 2.1, and underscores, which some networks have.
const hostname = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

// In all of its forms the address that stands for every one has nothing but zeros.
const isEveryAddress = (address: string): boolean => isIP(address) !== 0 && /^[0:.]+$/.test(address);

/**
 * Checks an address for media: it must be one that clients can send to.
 *
 * @param subject - the name of the option
 * @throws {@link SfuError} `invalid_argument`
 */
export function checkListenAddress({ ip, announcedAddress }: ListenAddress, subject: string): void {
	const invalid = (option: string, reason: string) =>
		new SfuError('invalid_argument', `${subject}.${option} ${reason}`);
	if (isIP(ip) === 0) throw invalid('ip', `must be an IP address, and is ${quoted(ip)}`);
	if (announcedAddress === undefined) {
		if (isEveryAddress(ip)) {
			throw invalid('announcedAddress', `is missing: clients cannot send to ${ip}, so name an address of this machine`);
		}
		return;
	}
	// A name of digits and dots alone would be a wrong IPv4 address.
	const isName = hostname.test(announcedAddress) && !/^[\d.]+$/.test(announcedAddress);
	if (isEveryAddress(announcedAddress) || (isIP(announcedAddress) === 0 && !isName)) {
		throw invalid(
			'announcedAddress',
			`must be an IP address or a host name that clients can send to, and is ${quoted(announcedAddress)}`,
		);
	}
}
