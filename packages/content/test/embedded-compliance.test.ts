import { openEmbeddedStore } from '@waymark/content';
import { contentStoreCompliance } from '@waymark/testing/content-compliance';
import { newFolder, removeFolders } from './harness/folders.ts';
import { alterOnDisk } from './harness/segments-on-disk.ts';

contentStoreCompliance('embedded', async () => {
  const folder = await newFolder();
  return {
    open: () => openEmbeddedStore({ folder }),
    alter: (cid, bytes) => alterOnDisk(folder, cid, bytes),
    dispose: removeFolders,
  };
});

contentStoreCompliance('embedded, small segments', async () => {
  const folder = await newFolder();
  return {
    open: () => openEmbeddedStore({ folder, maxSegmentSizeBytes: 64 * 1024 }),
    alter: (cid, bytes) => alterOnDisk(folder, cid, bytes),
    dispose: removeFolders,
  };
});
