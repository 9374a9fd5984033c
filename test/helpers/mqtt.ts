/** An MQTT broker on loopback, and a client that hears and says what a test wants. */

import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';

/** One that was published. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: unknown;
}

/** The broker with a client of its own, which has subscribed to everything. */
export class MqttBench {
  readonly port: number;
  readonly #client: MqttClient;
  readonly #close: () => Promise<void>;
  readonly #heard: MqttMessage[] = [];
  readonly #news = new EventEmitter();

  private constructor(port: number, client: MqttClient, close: () => Promise<void>) {
    this.port = port;
    this.#client = client;
    this.#close = close;
    client.on('message', (topic, payload) => {
      this.#heard.push({ topic, payload: JSON.parse(payload.toString()) as unknown });
      this.#news.emit('news');
    });
  }

  /** Starts both. */
  static async open(): Promise<MqttBench> {
    // It is a module that CommonJS cannot require.
    const { Aedes } = await import('aedes');
    const broker = await Aedes.createBroker();
    const server = createServer((connection) => broker.handle(connection)).listen(0, 'localhost');
    await once(server, 'listening');
    const port = portOf(server);
    const client = await connectAsync(`mqtt://localhost:${port}`);
    await client.subscribeAsync('#');
    return new MqttBench(port, client, async () => {
      await client.endAsync();
      await new Promise<void>((resolve) => broker.close(resolve));
      server.close();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  async publish(topic: string, payload: unknown): Promise<void> {
    await this.#client.publishAsync(topic, JSON.stringify(payload));
  }

  /** Waits for the first message with this topic whose payload fits; those that came before count. */
  async message(topic: string, fits: (payload: unknown) => boolean = () => true): Promise<unknown> {
    for (;;) {
      const found = this.#heard.find((one) => one.topic === topic && fits(one.payload));
      if (found !== undefined) return found.payload;
      await once(this.#news, 'news');
    }
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no TCP port');
  return address.port;
}
