/** A JupyterLab with a lake of its own, for as long as one of Playwright's workers lives. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const FOLDER = path.join(__dirname, '..');
const START_MS = 180_000;
const LOOK_MS = 250;
const STOP_MS = 60_000;

/** What is started, and how it is stopped. */
export interface IServer {
  stop(): Promise<void>;
}

/**
 * Start a server, and return when it answers.
 *
 * One that answers there already is taken as it is, as somebody started it who writes a spec; in CI
 * it would be a stranger's, with another lake.
 */
export async function startServer(baseUrl: string): Promise<IServer> {
  if (await answers(baseUrl)) {
    if (process.env.CI) {
      throw new Error(`${baseUrl} is taken by another program; set DATALAKE_UI_PORT`);
    }
    return { stop: async () => undefined };
  }
  // In a group of its own: kernels and the controller are stopped by the server.
  const server = spawn('jupyter', ['lab', '--config', 'jupyter_server_test_config.py'], {
    cwd: FOLDER,
    detached: true,
    env: { ...process.env, DATALAKE_UI_PORT: new URL(baseUrl).port },
    stdio: ['ignore', 'ignore', 'inherit']
  });
  const ended = once(server, 'exit');
  const isRunning = () => server.exitCode === null && server.signalCode === null;
  const stop = async () => {
    if (!isRunning()) {
      return;
    }
    server.kill('SIGTERM'); // it unmounts, and removes its folders
    const patience = setTimeout(() => {
      process.kill(-Number(server.pid), 'SIGKILL');
    }, STOP_MS);
    await ended;
    clearTimeout(patience);
  };
  const deadline = Date.now() + START_MS;
  while (!(await answers(baseUrl))) {
    if (!isRunning()) {
      throw new Error(`JupyterLab ended before it answered at ${baseUrl}`);
    }
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`JupyterLab does not answer at ${baseUrl} after ${START_MS / 1000} s`);
    }
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
  }
  return { stop };
}

async function answers(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/lab`)).ok;
  } catch {
    return false; // nobody listens yet
  }
}
