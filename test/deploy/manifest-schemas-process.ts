/*
 * Holds manifests of Kubernetes, JSON of a list on standard input, against the schemas of their kinds, and prints JSON
 * of a list: what is wrong with each, or null. A process of its own, since the packages with the schemas can only be
 * imported, which Jest cannot do.
 */
import { text } from 'node:stream/consumers';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';

type Kind = new (data: never) => { validate(): void };

const groups: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  v1: core,
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
};

function findProblem(manifest: { readonly apiVersion: string; readonly kind: string }) {
  const KindOf = groups[manifest.apiVersion]?.[manifest.kind] as Kind | undefined;
  if (KindOf === undefined) return `no schema for ${manifest.apiVersion} ${manifest.kind}`;
  try {
    new KindOf(manifest as never).validate();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const manifests = JSON.parse(await text(process.stdin)) as Parameters<typeof findProblem>[0][];
process.stdout.write(JSON.stringify(manifests.map(findProblem)));
