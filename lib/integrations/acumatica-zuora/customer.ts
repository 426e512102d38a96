import * as z from 'zod';

/**
 * The fields of a customer between the two systems. A field that is left out is not compared; one that is there and empty is empty at its source.
 * Lengths are those of Acumatica's fields.
 */
const optional = (max: number) => z.string().max(max).optional();

export const customerSchema = z.object({
  /** Zuora account number: the marker in AccountRef. */
  ref: z.string().min(1).max(50),
  name: z.string().min(1).max(255),
  currency: z.string().regex(/^[A-Z]{3}$/),
  terms: optional(10),
  email: optional(255),
  attention: optional(255),
  phone: optional(50),
  line1: optional(50),
  line2: optional(50),
  city: optional(50),
  state: optional(50),
  postal: optional(20),
  country: z.string().regex(/^[A-Z]{2}$/),
  taxId: optional(50),
  /** Zuora id of the top-most parent account; Acumatica shows the CustomerID it became. */
  parent: z.string().optional(),
  active: z.boolean().optional(),
  /**
   * Who applies money to documents. Empty means Acumatica itself (AutoApplyPayments), so that adopting a customer, which fills what is empty, switches
   * that off: money would otherwise be applied twice.
   */
  applies: z.literal('connector').optional(),
  /** The CustomerID that a person wrote into the Zuora account (`customers.matchField`). */
  customerId: z.string().optional(),
});
export type Customer = z.infer<typeof customerSchema>;

/** Every field that Acumatica holds and takes. */
export const acumaticaFields = [
  'ref',
  'name',
  'currency',
  'terms',
  'email',
  'attention',
  'phone',
  'line1',
  'line2',
  'city',
  'state',
  'postal',
  'country',
  'taxId',
  'parent',
  'active',
  'applies',
] as const satisfies readonly (keyof Customer)[];
