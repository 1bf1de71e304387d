/** Runs the gateway simulator as its own process. Prints one JSON line when it listens; ends on a signal or with its parent process. */
import { readProcessSettings } from './process-settings.js';
import { startGatewayServer } from './server.js';

const server = await startGatewayServer(readProcessSettings(process.env));
console.log(JSON.stringify({ ready: true, url: server.url, pid: process.pid }));

function stop(): void {
  void server.close().then(() => process.exit(0));
}

process.once('SIGINT', stop);
process.once('SIGTERM', stop);
// The IPC channel closes when the parent process dies, even by SIGKILL.
process.once('disconnect', stop);
