/** The simulated gateway as a process of its own: prints one JSON line when it listens, ends on a signal or with its parent. */
import { readProcessSettings } from './process-settings.js';
import { startGatewayServer } from './server.js';

const server = await startGatewayServer(readProcessSettings(process.env));
console.log(JSON.stringify({ ready: true, url: server.url, pid: process.pid }));

function stop(): void {
  void server.close().then(() => process.exit(0));
}

process.once('SIGINT', stop);
process.once('SIGTERM', stop);
// A parent that gave an IPC channel takes this process along when it dies, however it dies.
process.once('disconnect', stop);
