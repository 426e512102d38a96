import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from './aws-json.ts';
import type { SqsDesk } from './sqs-desk.ts';
import { invalidParameter, resourceNotFound, unsupported } from './sqs-errors.ts';
import { parseInput } from './sqs-messages.ts';
import { type Entry, type Message, nameOfArn, type Queue } from './sqs-queue.ts';
import { sourcesOf } from './sqs-queue-operations.ts';

type Input = Readonly<Record<string, unknown>>;

const StartInput = z.looseObject({
  SourceArn: z.string(),
  DestinationArn: z.string().nullish(),
  MaxNumberOfMessagesPerSecond: z.number().int().min(1).max(500).nullish(),
});

interface MoveTask {
  readonly handle: string;
  readonly source: Queue;
  readonly destination: string | undefined;
  readonly perSecond: number | undefined;
  readonly startedAt: number;
  readonly toMove: number;
  moved: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLING' | 'CANCELLED' | 'FAILED';
  failure?: string;
}

const atOnce = 500;

/**
 * Moving dead letters back (or elsewhere). What was moved stays moved when the process ends; the list of tasks does not survive it, where AWS
 * would carry on with a running one.
 */
export class MoveTasks {
  readonly #desk: SqsDesk;
  #tasks: MoveTask[] = [];

  constructor(desk: SqsDesk) {
    this.#desk = desk;
  }

  start(input: Input): unknown {
    const { SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond } = parseInput(StartInput, input);
    const source = this.#desk.queueOfArn(SourceArn);
    if (source === undefined) throw resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");
    if (DestinationArn && this.#desk.queueOfArn(DestinationArn) === undefined) {
      throw resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.");
    }
    if (sourcesOf(this.#desk, source).length === 0) {
      throw invalidParameter('Source queue must be configured as a Dead Letter Queue.');
    }
    if (this.#tasks.some((task) => task.source.name === source.name && task.status === 'RUNNING')) {
      throw unsupported('There is already a task running. Only one active task is allowed for a source queue arn at a given time.');
    }
    const task: MoveTask = {
      handle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: SourceArn })).toString('base64'),
      source,
      destination: DestinationArn ? nameOfArn(DestinationArn) : undefined,
      perSecond: MaxNumberOfMessagesPerSecond ?? undefined,
      startedAt: this.#desk.now(),
      toMove: source.messages.size,
      moved: 0,
      status: 'RUNNING',
    };
    this.#tasks = [task, ...this.#tasks];
    this.#run(task).catch((error: unknown) => {
      task.status = 'FAILED';
      task.failure = String(error);
    });
    return { TaskHandle: task.handle };
  }

  list(input: Input): unknown {
    const source = this.#desk.queueOfArn(String(input['SourceArn']));
    if (source === undefined) throw resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.");
    const tasks = this.#tasks.filter((task) => task.source.name === source.name).slice(0, Number(input['MaxResults'] ?? 1));
    return {
      Results: tasks.map((task) => ({
        ...(task.status === 'RUNNING' ? { TaskHandle: task.handle } : {}),
        Status: task.status,
        SourceArn: this.#desk.arnOf(task.source.name),
        ...(task.destination === undefined ? {} : { DestinationArn: this.#desk.arnOf(task.destination) }),
        ...(task.perSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: task.perSecond }),
        ApproximateNumberOfMessagesMoved: task.moved,
        ApproximateNumberOfMessagesToMove: task.toMove,
        ...(task.failure === undefined ? {} : { FailureReason: task.failure }),
        StartedTimestamp: task.startedAt,
      })),
    };
  }

  cancel(input: Input): unknown {
    const task = this.#tasks.find((known) => known.handle === input['TaskHandle']);
    if (task === undefined) throw resourceNotFound('Task does not exist.');
    if (task.status !== 'RUNNING') throw unsupported('Only active message movement tasks can be cancelled.');
    task.status = 'CANCELLED';
    return { ApproximateNumberOfMessagesMoved: task.moved };
  }

  /** The source of a running task, for the permission to cancel it. */
  sourceArnOf(handle: unknown): string {
    const task = this.#tasks.find((known) => known.handle === handle);
    if (task === undefined) throw new AwsError('ResourceNotFoundException', 'Task does not exist.', { status: 404 });
    return this.#desk.arnOf(task.source.name);
  }

  async #run(task: MoveTask): Promise<void> {
    while (task.status === 'RUNNING') {
      const now = this.#desk.now();
      const source = this.#desk.findQueue(task.source.name);
      const visible = [...(source?.messages.values() ?? [])]
        .filter((message) => message.visibleAt <= now)
        .slice(0, task.perSecond ?? atOnce);
      if (visible.length === 0) {
        task.status = 'COMPLETED';
        return;
      }
      const entries: Entry[] = [];
      for (const message of visible) {
        const to = task.destination ?? (message.givenUpBy === undefined ? undefined : nameOfArn(message.givenUpBy));
        // A message that was sent to the dead-letter queue by hand has no source to go back to.
        if (to === undefined || this.#desk.findQueue(to) === undefined) {
          task.status = 'FAILED';
          task.failure = to === undefined ? 'CouldNotDetermineMessageSource' : 'AWS.SimpleQueueService.NonExistentQueue';
          break;
        }
        entries.push({ is: 'moved', queue: task.source.name, id: message.id, to, message: asNew(message, now) });
      }
      this.#desk.write(entries);
      task.moved += entries.length;
      if (task.perSecond !== undefined && task.status === 'RUNNING') await this.#desk.clock.sleep(1000);
    }
  }
}

/** A moved message starts anew: own id, own time, no receives. */
function asNew(message: Message, now: number): Message {
  const { firstReceivedAt: _first, givenUpBy: _source, ...rest } = message;
  return { ...rest, id: randomUUID(), sentAt: now, visibleAt: now, receiveCount: 0 };
}
