/** One thing a caller wants to do, in the words of IAM. */
export interface Access {
  /** From the `Credential` of the request's signature; every role of a rehearsal has its own. */
  readonly accessKeyId: string;
  /** `dynamodb:PutItem` */
  readonly action: string;
  /** ARN, or `*` for actions that know no resource. */
  readonly resource: string;
  /** What conditions of policies may ask about: `kms:ViaService`. */
  readonly context?: Readonly<Record<string, string>>;
}

/** Answers undefined when the access is allowed, else who was refused and why. */
export type Authorize = (access: Access) => Denial | undefined;

export interface Denial {
  /** ARN of the caller. */
  readonly principal: string;
  readonly because: string;
}

export const allowEverything: Authorize = () => undefined;

export function denialText(access: Access, denial: Denial): string {
  return `User: ${denial.principal} is not authorized to perform: ${access.action} on resource: ${access.resource} because ${denial.because}`;
}

/** The account and region that every ARN of the local cloud carries. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
}

export const localPlace: Place = { accountId: '000000000000', region: 'us-east-1' };
