export default () => 'loaded late';
