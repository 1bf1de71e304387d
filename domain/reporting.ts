/** Which version of the gateway's reporting an entity has. v1 shows single transactions and no links between them. */

/** Shared by every process that queries for the same entities. */
export interface ReportingRecord {
  /** False where the gateway has lately declined v3 for this entity; true where that is not known. */
  hasV3(entityId: string): Promise<boolean>;
  /** Records what an answer to a v3 query showed. `code` is the decline's. */
  note(
    entityId: string,
    seen: { readonly hasV3: true } | { readonly hasV3: false; readonly code: string },
  ): Promise<void>;
}
