// Run by `sinew tool build` in a project's folder: source, WIT, world, output, features to leave out.
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [sourcePath, witPath, worldName, output, ...disableFeatures] = process.argv.slice(1);
try {
  const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
  await writeFile(output, component);
} catch (error) {
  console.error(error?.message ?? error);
  process.exitCode = 1;
}
