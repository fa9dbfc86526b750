import { z } from 'zod';

/** The parts of a JSON Schema that are looked at here. */
interface JsonSchema {
  readonly type?: string;
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
  /** What references point to. */
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/**
 * What is missing in the schema of a body, one line each: texts and lists without a greatest length, objects that take
 * members which they do not declare, and places that take anything.
 *
 * @param undeclared whether members that are not declared may come: a provider adds fields at any time
 */
export function looseEnds(schema: z.ZodType, { undeclared }: { readonly undeclared: boolean }): string[] {
  const found: string[] = [];
  const visit = (part: JsonSchema, place: string): void => {
    const say = (fault: string) => void found.push(`${place || 'the body'} ${fault}`);
    const below = (name: string) => (place === '' ? name : `${place}.${name}`);
    if (isOpen(part) && !undeclared) say('takes anything: give it a schema');
    if (part.type === 'string' && !isListed(part) && part.maxLength === undefined)
      say('has no greatest length: .max()');
    if (part.type === 'array' && !part.prefixItems && part.maxItems === undefined)
      say('has no greatest length: .max()');
    if (part.type === 'object') {
      const isRecord = part.propertyNames !== undefined;
      if (!isRecord && part.additionalProperties !== false && !undeclared)
        say('takes unknown members: z.strictObject()');
      for (const [name, member] of Object.entries(part.properties ?? {})) visit(member, below(name));
      if (part.propertyNames) visit(part.propertyNames, below('<name>'));
      if (isRecord && part.additionalProperties) visit(part.additionalProperties, below('*'));
    }
    if (part.items) visit(part.items, `${place}[]`);
    part.prefixItems?.forEach((item, at) => visit(item, `${place}[${at}]`));
    for (const choice of choicesOf(part)) visit(choice, place);
    for (const [name, referred] of Object.entries(part.$defs ?? {})) visit(referred, below(name));
  };
  visit(jsonSchemaOf(schema), '');
  return [...new Set(found)];
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

function choicesOf({ anyOf = [], oneOf = [], allOf = [] }: JsonSchema): readonly JsonSchema[] {
  return [...anyOf, ...oneOf, ...allOf];
}

function isListed(part: JsonSchema): boolean {
  return part.enum !== undefined || part.const !== undefined;
}

/** A schema that says nothing about the value. A reference is to a part that is visited in its own place. */
function isOpen(part: JsonSchema): boolean {
  return part.type === undefined && !isListed(part) && choicesOf(part).length === 0 && part.$ref === undefined;
}
