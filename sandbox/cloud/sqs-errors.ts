import { AwsError } from './aws-json.ts';

const legacy = 'AWS.SimpleQueueService.';

export const queueDoesNotExist = (): AwsError =>
  new AwsError('QueueDoesNotExist', 'The specified queue does not exist.', { queryCode: `${legacy}NonExistentQueue` });

export const invalidParameter = (message: string): AwsError =>
  new AwsError('InvalidParameterValue', message, { queryCode: 'InvalidParameterValue' });

export const outOfRange = (name: string, value: unknown, range: string): AwsError =>
  invalidParameter(`Value ${String(value)} for parameter ${name} is invalid. Reason: Must be ${range}.`);

export const missingParameter = (name: string): AwsError =>
  new AwsError('MissingParameter', `The request must contain the parameter ${name}.`, { queryCode: 'MissingParameter' });

export const unsupported = (message: string): AwsError =>
  new AwsError('UnsupportedOperation', message, { queryCode: `${legacy}UnsupportedOperation` });

export const batchError = (type: string, message: string): AwsError => new AwsError(type, message, { queryCode: legacy + type });

export const receiptHandleIsInvalid = (): AwsError =>
  new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.', { queryCode: 'ReceiptHandleIsInvalid' });

export const messageNotInflight = (): AwsError =>
  new AwsError('MessageNotInflight', 'The message referred to is not in flight.', { queryCode: `${legacy}MessageNotInflight` });

export const resourceNotFound = (message: string): AwsError =>
  new AwsError('ResourceNotFoundException', message, { status: 404, queryCode: 'ResourceNotFoundException' });
