// npm run site:screenshots: the README's pictures of the playground, light and dark, from a build for a sub-path:
// npm run site:build -- --base /softmax-native/

import { fileURLToPath } from 'node:url';
import { openPage, openSite, type Theme, untilServed } from './serve.js';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const themes: readonly Theme[] = ['light', 'dark'];

const site = await openSite();
try {
  for (const theme of themes) {
    const { page } = await openPage(site, 'playground', 1280, theme);
    await untilServed(page);
    const plain = '.VPNav, .VPLocalNav { display: none } .vp-doc .figure { border: 0; border-radius: 0 }';
    await page.addStyleTag({ content: plain });
    const cutOffs = await page.$('figure[aria-label="Cut-offs"]');
    // The controls and the plot.
    const [box, below] = [await cutOffs?.boundingBox(), await (await cutOffs?.$('table'))?.boundingBox()];
    if (!box || !below) throw new Error('the playground has no cut-offs');
    const clip = { x: box.x, y: box.y, width: box.width, height: below.y - box.y - 8 };
    await page.screenshot({ path: `${docs}playground-${theme}.png`, clip });
    await page.close();
  }
} finally {
  await site.close();
}
