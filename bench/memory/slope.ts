/** How something grows: the slope of the straight line that fits best, and the standard error of that. */
export interface Slope {
	slope: number;
	error: number;
}

/** Fits a straight line to points. */
export function slopeOf(points: readonly { x: number; y: number }[]): Slope {
	const mean = (of: (point: { x: number; y: number }) => number) =>
		points.reduce((sum, point) => sum + of(point), 0) / points.length;
	const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
	const spread = mean((point) => (point.x - x) ** 2) * points.length;
	const slope = (mean((point) => (point.x - x) * (point.y - y)) * points.length) / spread;
	const rest = mean((point) => (point.y - y - slope * (point.x - x)) ** 2) * points.length;
	return { slope, error: Math.sqrt(rest / Math.max(points.length - 2, 1) / spread) };
}

/** Whether it does not grow beyond the noise: two standard errors. */
export const isFlat = ({ slope, error }: Slope): boolean => slope <= 2 * error;
