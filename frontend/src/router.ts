import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { safePath } from '@/safePath'
import { token } from '@/token'
import Login from '@/views/Login.vue'

declare module 'vue-router' {
  interface RouteMeta {
    /** The key of the page's title in the locales. */
    title?: string
    forSuperusers?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: '/main' },
  // Not loaded by itself, since it is where most visits begin.
  { path: '/login', component: Login, meta: { title: 'login.title' } },
  {
    path: '/sign-up',
    component: () => import('@/views/SignUp.vue'),
    meta: { title: 'signUp.title' },
  },
  {
    path: '/recover-password',
    component: () => import('@/views/PasswordRecovery.vue'),
    meta: { title: 'recovery.title' },
  },
  {
    path: '/reset-password',
    component: () => import('@/views/ResetPassword.vue'),
    meta: { title: 'reset.title' },
  },
  {
    path: '/main',
    component: () => import('@/views/main/Main.vue'),
    redirect: '/main/dashboard',
    children: [
      {
        path: 'dashboard',
        component: () => import('@/views/main/Dashboard.vue'),
        meta: { title: 'dashboard.title' },
      },
      { path: 'items', redirect: '/main/items/all' },
      {
        path: 'items/all',
        component: () => import('@/views/main/items/Items.vue'),
        meta: { title: 'item.all' },
      },
      {
        path: 'items/create',
        component: () => import('@/views/main/items/ItemForm.vue'),
        meta: { title: 'item.create' },
      },
      {
        path: 'items/edit/:id(\\d+)',
        component: () => import('@/views/main/items/ItemForm.vue'),
        meta: { title: 'item.edit' },
        props: ({ params }) => ({ id: Number(params.id) }),
      },
      { path: 'profile', redirect: '/main/profile/view' },
      {
        path: 'profile/view',
        component: () => import('@/views/main/profile/UserProfile.vue'),
        meta: { title: 'profile.title' },
      },
      {
        path: 'profile/edit',
        component: () => import('@/views/main/profile/UserProfileEdit.vue'),
        meta: { title: 'profile.edit' },
      },
      {
        path: 'profile/password',
        component: () => import('@/views/main/profile/UserProfileEditPassword.vue'),
        meta: { title: 'profile.password' },
      },
      { path: 'admin', redirect: '/main/admin/users/all' },
      { path: 'admin/users', redirect: '/main/admin/users/all' },
      {
        path: 'admin/users/all',
        component: () => import('@/views/main/admin/AdminUsers.vue'),
        meta: { title: 'user.all', forSuperusers: true },
      },
      {
        path: 'admin/users/create',
        component: () => import('@/views/main/admin/CreateUser.vue'),
        meta: { title: 'user.create', forSuperusers: true },
      },
      {
        path: 'admin/users/edit/:id(\\d+)',
        component: () => import('@/views/main/admin/EditUser.vue'),
        meta: { title: 'user.edit', forSuperusers: true },
        props: ({ params }) => ({ id: Number(params.id) }),
      },
    ],
  },
  {
    path: '/:path(.*)*',
    component: () => import('@/views/NotFound.vue'),
    meta: { title: 'notFound.title' },
  },
]

export const router = createRouter({ history: createWebHistory(), routes })

router.beforeEach(({ path, fullPath, query, matched }) => {
  if (matched[0]?.path === '/main' && !token.value) {
    return { path: '/login', query: path === '/main/dashboard' ? {} : { redirect: fullPath } }
  }
  if (path === '/login' && token.value) return safePath(query.redirect)
})
