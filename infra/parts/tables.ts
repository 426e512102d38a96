import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { type TableDefinition, tables } from '../../lib/aws/environment.ts';

/** The three tables of a deployment, as the stores define them. On demand: nothing costs when nothing moves. */
export class ConnectorTables extends Construct {
  readonly links: TableV2;
  readonly audit: TableV2;
  readonly state: TableV2;

  constructor(scope: Construct, id: string, props: { readonly prefix: string; readonly key: IKey }) {
    super(scope, id);
    const table = (name: string, definition: TableDefinition): TableV2 =>
      new TableV2(this, name, {
        tableName: `${props.prefix}-${name.toLowerCase()}`,
        partitionKey: { name: definition.partitionKey, type: AttributeType.STRING },
        sortKey: { name: definition.sortKey, type: AttributeType.STRING },
        ...(definition.timeToLive === undefined ? {} : { timeToLiveAttribute: definition.timeToLive }),
        globalSecondaryIndexes: definition.indexes.map((index) => ({
          indexName: index.name,
          partitionKey: { name: index.partitionKey, type: AttributeType.STRING },
          sortKey: { name: index.sortKey, type: AttributeType.STRING },
          projectionType: index.projection === 'ALL' ? ProjectionType.ALL : ProjectionType.KEYS_ONLY,
        })),
        billing: Billing.onDemand(),
        encryption: TableEncryptionV2.customerManagedKey(props.key),
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
        // The memory of what was posted: without it the next poll would have to find every document again.
        deletionProtection: name !== 'State',
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.links = table('Links', tables.links);
    this.audit = table('Audit', tables.audit);
    this.state = table('State', tables.state);
  }

  /** Workers, polls, housekeeping, operations: read and write all three. */
  grantWork(grantee: IGrantable): void {
    grant(
      grantee,
      [this.links, this.state],
      ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
    );
    grant(grantee, [this.audit], ['Query', 'PutItem', 'BatchWriteItem']);
  }

  /** Taking in a webhook: whether it was seen before, settings, and an audit line when it is refused. */
  grantIntake(grantee: IGrantable): void {
    grant(grantee, [this.links], ['BatchGetItem', 'GetItem']);
    grant(grantee, [this.state], ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']);
    grant(grantee, [this.audit], ['PutItem', 'BatchWriteItem']);
  }
}

function grant(grantee: IGrantable, granted: readonly TableV2[], actions: readonly string[]): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: granted.flatMap((table) => [table.tableArn, `${table.tableArn}/index/*`]),
    }),
  );
}
