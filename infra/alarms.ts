import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** An alarm says what a failure does to a person, and names the heading of docs/runbook.md that helps. */
export interface AlarmText {
  readonly impact: string;
  /** Heading in docs/runbook.md, as an anchor. */
  readonly runbook: string;
}

interface AlarmProps extends AlarmText {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly periods: number;
  readonly topic: ITopic;
}

class ImpactAlarm extends Alarm {
  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id, {
      metric: props.metric,
      threshold: props.threshold,
      evaluationPeriods: props.periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${props.impact} See docs/runbook.md#${props.runbook}`,
    });
    this.addAlarmAction(new SnsAction(props.topic));
    this.addOkAction(new SnsAction(props.topic));
  }
}

/** The alarms of one integration. */
export class IntegrationAlarms extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly integration: string;
      readonly topic: ITopic;
      readonly deadLetters: IQueue;
      readonly live: IQueue;
      readonly functions: Readonly<Record<string, IFunction>>;
    },
  ) {
    super(scope, id);
    const { integration, topic } = props;
    const fiveMinutes = Duration.minutes(5);
    new ImpactAlarm(this, 'HeldRecords', {
      topic,
      metric: props.deadLetters.metricApproximateNumberOfMessagesVisible({ period: fiveMinutes, statistic: 'Maximum' }),
      threshold: 1,
      periods: 1,
      impact: `${integration}: records are held and are missing on the other side until a person decides.`,
      runbook: 'held-records',
    });
    new ImpactAlarm(this, 'OldestMessage', {
      topic,
      metric: props.live.metricApproximateAgeOfOldestMessage({ period: fiveMinutes, statistic: 'Maximum' }),
      threshold: Duration.hours(1).toSeconds(),
      periods: 3,
      impact: `${integration}: changes have been waiting for more than an hour; the two systems disagree about them.`,
      runbook: 'oldest-message',
    });
    for (const [name, fn] of Object.entries(props.functions)) {
      new ImpactAlarm(this, `${name}Errors`, {
        topic,
        metric: fn.metricErrors({ period: fiveMinutes, statistic: 'Sum' }),
        threshold: 3,
        periods: 3,
        impact: `${integration}: ${functionImpacts[name] ?? 'work of this function is not getting done.'}`,
        runbook: 'function-errors',
      });
    }
  }
}

/** What it does to a person when this function keeps failing. */
const functionImpacts: Readonly<Record<string, string>> = {
  ReceiveWebhook: 'webhooks are not taken in; documents arrive later, by poll.',
  Poll: 'polls fail; whatever no webhook announces does not arrive.',
  ProcessChanges: 'changes are not written; the two systems drift apart.',
  RenewChannels: 'holds that resolve by themselves, renewals and reports do not happen.',
};
