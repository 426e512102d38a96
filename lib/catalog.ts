import type { Catalog, Integration } from './contracts/integration.ts';
import type { Vendor } from './contracts/vendor.ts';
import { acumaticaZuora } from './integrations/acumatica-zuora/integration.ts';
import { acumatica } from './vendors/acumatica/vendor.ts';
import { zuora } from './vendors/zuora/vendor.ts';

/** Every vendor and every integration of the product. Adding one is a line here. */
export const catalog: Catalog = {
  vendors: { acumatica: acumatica as Vendor, zuora: zuora as Vendor },
  integrations: [acumaticaZuora as Integration],
};
