/** `npm run audit`: known vulnerabilities of the packages that run in production. A registry without this service is no failure. */
import { spawnSync } from 'node:child_process';
import { z } from 'zod';

const reportShape = z.looseObject({
  vulnerabilities: z.record(z.string(), z.looseObject({ severity: z.string() })),
});
const SEVERE = ['high', 'critical'];

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  timeout: 120_000,
});
const report = reportShape.safeParse(parse(stdout)).data;
if (report === undefined) console.log('npm audit: not reachable; nothing was checked');
else {
  const found = Object.entries(report.vulnerabilities);
  const severe = found.filter(([, { severity }]) => SEVERE.includes(severity));
  for (const [name, { severity }] of severe) console.error(`${name}: ${severity}`);
  console.log(
    `npm audit: ${found.length} packages with known vulnerabilities, ${severe.length} of them severe`,
  );
  if (severe.length > 0) process.exitCode = 1;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
