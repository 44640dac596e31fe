import * as echarts from 'echarts';
import type { Plot, Row } from './report.js';

/** Draws a plot as SVG. */
export function draw({ title, x, y, series, scale = 'log' }: Plot, rows: readonly Row[]): string {
	const names = [...new Set(rows.map((row) => String(row[series])))];
	const values = (column: string) => rows.map((row) => Number(row[column]));
	const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 400 });
	chart.setOption({
		animation: false,
		backgroundColor: '#ffffff',
		title: { text: title, left: 'center', textStyle: { fontSize: 15 } },
		legend: { bottom: 0 },
		grid: { left: 70, right: 30, top: 50, bottom: 80 },
		xAxis: {
			type: scale,
			name: x,
			nameLocation: 'middle',
			nameGap: 28,
			min: Math.min(...values(x)),
			max: Math.max(...values(x)),
		},
		yAxis: { type: 'value', name: y, nameLocation: 'middle', nameGap: 50, min: 0 },
		series: names.map((name) => ({
			type: 'line',
			name,
			data: rows.filter((row) => String(row[series]) === name).map((row) => [Number(row[x]), Number(row[y])]),
		})),
	});
	const svg = chart.renderToSVGString();
	chart.dispose();
	return `${svg}\n`;
}
