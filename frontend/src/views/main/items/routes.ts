import { mdiNoteMultipleOutline } from '@mdi/js'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: 'items', redirect: '/main/items/all' },
  {
    path: 'items/all',
    component: () => import('./Items.vue'),
    meta: { title: 'item.all', menu: 'main', icon: mdiNoteMultipleOutline },
  },
  {
    path: 'items/create',
    component: () => import('./ItemForm.vue'),
    meta: { title: 'item.create' },
  },
  {
    path: 'items/edit/:id(\\d+)',
    component: () => import('./ItemForm.vue'),
    meta: { title: 'item.edit' },
    props: ({ params }) => ({ id: Number(params.id) }),
  },
]
