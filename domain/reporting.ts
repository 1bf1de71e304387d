/**
 * The version of the gateway's reporting that an entity has: v3 shows linked transactions, v1 single transactions only.
 * These are the vendor's names; the ledger stores one row for each entity. See docs/decisions/018.
 */

/** Shared by every process that queries for the same entities. */
export interface ReportingRecord {
  /** False if the gateway has lately declined v3 for this entity; true if that is not known. */
  hasV3(entityId: string): Promise<boolean>;
  /** Records what an answer to a v3 query showed. `code` is the decline's. */
  note(
    entityId: string,
    seen: { readonly hasV3: true } | { readonly hasV3: false; readonly code: string },
  ): Promise<void>;
}
