// The width that a drawing has, so that its text is as large as the page's on every screen.

import { onBeforeUnmount, onMounted, ref, type ShallowRef } from 'vue';

export function useWidth(element: Readonly<ShallowRef<Element | null>>, before = 640) {
  const width = ref(before);
  let observer: ResizeObserver | undefined;
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) width.value = entry.contentRect.width;
    });
    if (element.value !== null) observer.observe(element.value);
  });
  onBeforeUnmount(() => observer?.disconnect());
  return width;
}
