import { CoordinatorError } from '../error-codes.ts';
import type { JobRecord } from '../job.ts';
import type { Failure } from '../outcome.ts';
import { KeyUnknown, type PayloadCipher } from '../payload-cipher.ts';
import type { JobDetails } from './job-details.ts';
import type { Claim, NewJob } from '../queue-backend.ts';

const UNDECRYPTABLE = 'The message is encrypted with a key that this process does not have';

/** Which fields of a job's record are encrypted: its payload, the results of its steps and the message of its error. */
export class EncryptedFields {
  readonly #cipher: PayloadCipher;

  constructor(cipher: PayloadCipher) {
    this.#cipher = cipher;
  }

  /** See {@link PayloadCipher.keyIds}. */
  get keyIds(): string[] {
    return this.#cipher.keyIds;
  }

  newJob(job: NewJob): NewJob {
    const payload = this.#cipher.encrypt(job.payload, { jobId: job.id, field: 'payload' });
    const dedupe = job.dedupe && { ...job.dedupe, fingerprint: this.#cipher.fingerprint(job.dedupe.fingerprint) };
    return { ...job, payload, dedupe };
  }

  /** The result of a step as JSON; '' for none, and that stays. */
  stepResult(jobId: string, name: string, result: string): string {
    return result === '' ? '' : this.#cipher.encrypt(result, { jobId, field: `step:${name}` });
  }

  /** A Failure as JSON; '' for none. Its code stays in the clear: scripts and operators go by it. */
  error(jobId: string, json: string): string {
    if (json === '') return '';
    const { code, message } = JSON.parse(json) as Failure;
    return JSON.stringify({ code, message: this.#cipher.encrypt(message, { jobId, field: 'error' }) });
  }

  /** The claim in the clear, or with the reason why it cannot be; a missing key before damage, because it can be mended. */
  decryptClaim(claim: Claim): Claim {
    let undecryptable: CoordinatorError | undefined;
    const decrypt = (text: string, field: string): string => {
      try {
        return this.#cipher.decrypt(text, { jobId: claim.jobId, field });
      } catch (error) {
        if (!(error instanceof CoordinatorError)) throw error;
        if (!(undecryptable instanceof KeyUnknown)) undecryptable = error;
        return '';
      }
    };
    const payload = decrypt(claim.payload, 'payload');
    const steps = new Map(Array.from(claim.steps, ([name, result]) => [name, decrypt(result, `step:${name}`)]));
    return { ...claim, payload, steps, undecryptable };
  }

  /** The details in the clear, as far as they can be. */
  decryptDetails(details: JobDetails): JobDetails {
    const { jobId, payload } = details;
    let clear: string | undefined;
    try {
      clear = payload && this.#cipher.decrypt(payload, { jobId, field: 'payload' });
    } catch {
      clear = undefined;
    }
    return { ...details, ...this.decryptRecord(details), payload: clear };
  }

  /** The record in the clear, as far as it can be. */
  decryptRecord(record: JobRecord): JobRecord {
    const decrypt = (text: string, field: string): string | undefined => {
      try {
        return this.#cipher.decrypt(text, { jobId: record.jobId, field });
      } catch {
        return undefined;
      }
    };
    const steps = record.steps.map(({ result, ...step }) => ({
      ...step,
      result: result === undefined ? undefined : decrypt(result, `step:${step.name}`),
    }));
    const { error } = record;
    return {
      ...record,
      steps,
      error: error && { ...error, message: decrypt(error.message, 'error') ?? UNDECRYPTABLE },
    };
  }
}
