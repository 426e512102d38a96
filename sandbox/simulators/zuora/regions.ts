/** One host per tenant; credentials of one are unknown to all others. */
const hosts = {
  'us-production-cloud1': 'rest.na.zuora.com',
  'us-production-cloud2': 'rest.zuora.com',
  'us-api-sandbox-cloud1': 'rest.sandbox.na.zuora.com',
  'us-api-sandbox-cloud2': 'rest.apisandbox.zuora.com',
  'us-developer-and-central-sandbox': 'rest.test.zuora.com',
  'eu-production': 'rest.eu.zuora.com',
  'eu-api-sandbox': 'rest.sandbox.eu.zuora.com',
  'eu-developer-and-central-sandbox': 'rest.test.eu.zuora.com',
  'apac-production': 'rest.ap.zuora.com',
  'apac-developer-and-central-sandbox': 'rest.test.ap.zuora.com',
  'us-performance-test-legacy': 'rest.pt1.zuora.com',
} as const;

export type Region = keyof typeof hosts;

const known: readonly string[] = Object.values(hosts);

/** A request that names another Zuora host arrives at a tenant that does not know us. A loopback host is whatever it is. */
export function isForeignHost(host: string, region: Region): boolean {
  return known.includes(host) && host !== hosts[region];
}

export interface CallLimits {
  readonly perMinute: number;
  readonly perHour: number;
  readonly perDay: number;
}

/** Calls per tenant, all users together. Central sandboxes have the limits of production; developer sandboxes have less and are set by hand. */
export function callLimitsOf(region: Region): CallLimits {
  if (region.includes('api-sandbox')) return { perMinute: 2_500, perHour: 5_000, perDay: 10_000 };
  return { perMinute: 50_000, perHour: 2_250_000, perDay: 27_000_000 };
}
