/** The part of `@aws-sdk/client-kms` that is used: its own types are large, and needed nowhere else. */
declare module '@aws-sdk/client-kms' {
  interface EncryptInput {
    readonly KeyId: string;
    readonly Plaintext: Uint8Array;
    readonly EncryptionContext: Readonly<Record<string, string>>;
  }
  interface DecryptInput {
    readonly KeyId: string;
    readonly CiphertextBlob: Uint8Array;
    readonly EncryptionContext: Readonly<Record<string, string>>;
  }
  export class EncryptCommand {
    constructor(input: EncryptInput);
    readonly encrypts: true;
  }
  export class DecryptCommand {
    constructor(input: DecryptInput);
    readonly decrypts: true;
  }
  export class KMSServiceException extends Error {}
  export class KMSClient {
    constructor(options: {
      readonly requestHandler: { readonly requestTimeout: number; readonly connectionTimeout: number };
    });
    send(command: EncryptCommand): Promise<{ readonly CiphertextBlob?: Uint8Array }>;
    send(command: DecryptCommand): Promise<{ readonly Plaintext?: Uint8Array }>;
  }
}
