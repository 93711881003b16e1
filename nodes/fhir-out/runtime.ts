import type { Node, NodeAPI } from 'node-red';
import { runDestination } from '../shared/destination.ts';
import type { NodeConfig } from '../shared/node.ts';
import { type, type FhirOutConfig } from './definition.ts';

/** `fhir out`: into the outbound queue; the edge sends it to the FHIR server. */
export default function register(RED: NodeAPI): void {
  RED.nodes.registerType(type, function (this: Node, config: NodeConfig<FhirOutConfig>): void {
    RED.nodes.createNode(this, config);
    runDestination(RED, this, config);
  });
}
