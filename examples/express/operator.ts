/** What the operator of the demo sees: /inspect.html with its JSON, and /metrics for Prometheus. It shows who is in which room. */
import type { Express } from 'express';
import { register } from 'prom-client';
import type { Sfu } from 'sfu-rooms';
import { SfuMetrics } from 'sfu-rooms/metrics';

export function showOperator(app: Express, sfu: Sfu): void {
	new SfuMetrics(sfu);
	app.get('/inspect.json', ({ query: { roomId } }, response) => {
		response.json(sfu.inspect(typeof roomId === 'string' ? { roomId } : {}));
	});
	app.get('/metrics', async (_, response) => {
		response.type(register.contentType).send(await register.metrics());
	});
}
